import { once } from 'node:events';
import { seconds } from '#lib/base/until.ts';

/** Lets a call log in to an instance once few enough others are at it. */
export type Logins = <T>(
  instance: string,
  signal: AbortSignal | undefined,
  call: () => Promise<T>,
) => Promise<T>;

/**
 * Each `multipass exec` and `transfer` is a connection of its own over ssh. Ubuntu's sshd (MaxStartups 10:30:100) drops
 * connections at random when more than ten are logging in at the same time.
 *
 * @param most how many may log in to an instance at the same time
 * @param lasting how long a login is taken to last, in milliseconds; a call that ends earlier makes room at once
 */
export function logins({ most = 8, lasting = seconds(2) } = {}): Logins {
  const at = new Map<string, Set<Promise<unknown>>>();
  return async (instance, signal, call) => {
    const those = at.get(instance) ?? new Set();
    at.set(instance, those);
    // one that is called off need not wait: its call ends at once
    while (those.size >= most && signal?.aborted !== true)
      await Promise.race([...those, ...(signal ? [once(signal, 'abort')] : [])]);
    const going = call();
    const login: Promise<unknown> = Promise.race([
      going.catch(() => undefined),
      once(AbortSignal.timeout(lasting), 'abort'),
    ]).finally(() => those.delete(login));
    those.add(login);
    return going;
  };
}
