import type { Place } from './places.ts';

/** A request as `python3 -m http.server` on the VM tells it. */
export interface Served {
  /** When it was logged, in milliseconds since 1970 by the VM's clock. */
  at: number;
  from: string;
  /** Such as `GET / HTTP/1.1`. */
  request: string;
  status: string;
}

/** What the server on the VM has served since it was last started, in order. */
export interface ServerLog {
  /** In milliseconds since 1970 by the VM's clock. */
  startedAt: number;
  /** When the log was read, by the same clock. */
  readAt: number;
  served: Served[];
}

/** The log of the server on the VM, which is in the journal. */
export async function servedSinceStart(vm: Place): Promise<ServerLog> {
  const shell = [
    'set -e',
    'date +%s%3N',
    'systemctl show -P ActiveEnterTimestamp --timestamp=us+utc external-app',
    'id=$(systemctl show -P InvocationID external-app)',
    'journalctl --no-pager --output=short-unix "_SYSTEMD_INVOCATION_ID=$id"',
  ].join('\n');
  const { stdout, stderr, code } = await vm.attempt(['bash', '-c', shell]);
  const [read = '', started = '', ...lines] = stdout.split('\n');
  const startedAt = Date.parse(started.replace(/^\w+ (\S+) (\S+) UTC$/, '$1T$2Z'));
  if (code !== 0 || Number.isNaN(startedAt))
    throw new Error(
      `The log of the server on ${vm.name} cannot be read: ${stderr.trim() || 'it does not run'}`,
    );
  return { startedAt, readAt: Number(read), served: lines.flatMap(servedIn) };
}

/** Whether a request is a probe of the agent: those of the mesh have a query, see directions.ts. */
export const isProbe = ({ request }: Served): boolean => request === 'GET / HTTP/1.1';

/** Reads one line of the journal; nothing when it tells no request. */
export function servedIn(line: string): Served[] {
  const found = /^(\d+\.\d+) .*?: (\S+) - - \[[^\]]*\] "([^"]*)" (\d+) -/.exec(line);
  if (!found) return [];
  const [, at = '', from = '', request = '', status = ''] = found;
  return [{ at: Number(at) * 1000, from, request, status }];
}
