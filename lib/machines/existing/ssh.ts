import { mkdir, readFile, rm, rmdir, stat } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import {
  attempt as attemptHere,
  CommandError,
  type Output,
  type Run,
  type RunOptions,
} from '#lib/base/command.ts';
import { ours } from '#lib/base/deadlines.ts';
import { RefusedError } from '#lib/base/errors.ts';
import { exists } from '#lib/base/files.ts';
import { withLock } from '#lib/base/lock.ts';
import type { SshTarget } from './settings.ts';

export interface SshOptions {
  key?: string | undefined;
  knownHosts?: string | undefined;
}

/** The system's ssh into one machine, as root (by sudo where the user is another), over one connection that is kept. */
export interface Ssh {
  readonly target: SshTarget;
  /** Opens the connection. @throws RefusedError that says why the machine does not let us in, with the way out */
  connect(): Promise<void>;
  exec(words: readonly string[], options?: RunOptions): Promise<Output>;
  /** Copies a file as the user. */
  copy(localPath: string, remotePath: string): Promise<void>;
  /** Closes the connection; the next command opens another. */
  disconnect(): Promise<void>;
}

export function ssh(
  target: SshTarget,
  { key, knownHosts }: SshOptions = {},
  attempt: Run = attemptHere,
): Ssh {
  const { user, host, port } = target;
  const folder = socketFolder();
  const socket = join(folder, '%C');
  const options = [
    ...['BatchMode=yes', 'StrictHostKeyChecking=yes', 'ConnectTimeout=15', 'LogLevel=ERROR'],
    ...[
      'ServerAliveInterval=10',
      'ServerAliveCountMax=3',
      'ForwardAgent=no',
      'ForwardX11=no',
      'EscapeChar=none',
    ],
    ...(knownHosts === undefined ? [] : [`UserKnownHostsFile=${knownHosts}`, 'GlobalKnownHostsFile=none']),
    ...(key === undefined ? [] : [`IdentityFile=${key}`, 'IdentitiesOnly=yes']),
    `ControlPath=${socket}`,
  ].flatMap((option) => ['-o', option]);
  const here = `${host}-${String(port)}-${user}`;
  const log = join(folder, `${here}.log`);
  const place = ['-p', String(port), '-l', user, host];

  const open = async (): Promise<boolean> =>
    (await attempt(['ssh', ...options, '-O', 'check', ...place])).code === 0;
  const connect = async (): Promise<void> => {
    await ownFolder(folder);
    await withLock(join(folder, `${here}.lock`), `the connection to ${host}`, async () => {
      if (await open()) return;
      await rm(log, { force: true });
      // the connection stays in the background, where it must not hold on to our pipes
      const quietly = ['sh', '-c', 'log=$0; exec "$@" >"$log" 2>&1 </dev/null', log];
      const kept = ['-o', 'ControlMaster=yes', '-o', 'ControlPersist=120', '-N', '-f'];
      const { code } = await attempt([...quietly, 'ssh', ...options, ...kept, ...place], {
        within: ours.sshConnects,
      });
      if (code === 0) return;
      const said = exists(log) ? (await readFile(log, 'utf8')).trim() : '';
      throw new RefusedError(refusal(target, said, { key, knownHosts }));
    }).catch(async (error: unknown) => {
      await tidy();
      throw error;
    });
  };
  const tidy = async (): Promise<void> => {
    await rm(log, { force: true });
    // others may have connections of theirs there
    await rmdir(folder).catch(() => undefined);
  };

  return {
    target,
    connect,
    exec: async (words, given = {}) => {
      if (!(await open())) await connect();
      const asRoot = user === 'root' ? words : ['sudo', '-n', '--', ...words];
      const line = asRoot.map(quoted).join(' ');
      return attempt(['ssh', ...options, '-o', 'ControlMaster=no', '-T', ...place, '--', line], {
        input: '',
        ...given,
      });
    },
    copy: async (localPath, remotePath) => {
      if (!(await open())) await connect();
      const words = ['scp', '-q', ...options, '-o', 'ControlMaster=no', '-P', String(port)];
      const to = `${user}@${host}:${remotePath}`;
      const output = await attempt([...words, '--', localPath, to], { within: ours.sshCopies });
      if (output.code === 0) return;
      throw new CommandError(
        [`${host}:`, 'scp', localPath, remotePath],
        `Exit status ${String(output.code)}`,
        output,
      );
    },
    disconnect: async () => {
      await attempt(['ssh', ...options, '-O', 'exit', ...place]);
      await tidy();
    },
  };
}

/** The longest path of a unix socket, with the byte that ends it: 104 on macOS and the BSDs, 108 on Linux. */
const longest = 104;
/** %C is a hash of 40 digits; ssh first listens at a name that has 17 more. */
const longestName = '/'.length + 40 + 17;

/**
 * A short folder for the sockets of ssh: a lab's is too long for one, and so is that for temporary files on macOS.
 *
 * @param temporary where temporary files go
 */
export function socketFolder(temporary = tmpdir()): string {
  const name = `istio-vm-conformance-ssh-${String(userInfo().uid)}`;
  const folder = join(temporary, name);
  return Buffer.byteLength(folder) + longestName < longest ? folder : join('/tmp', name);
}

/** A word as a shell takes it for one, whatever is in it. */
export const quoted = (word: string): string =>
  /^[a-zA-Z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;

/** Who owns the sockets has the machines. */
async function ownFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { uid, mode } = await stat(folder);
  if (uid !== userInfo().uid || (mode & 0o077) !== 0)
    throw new RefusedError(`${folder} is for the connections of ssh, and others may use it; remove it.`);
}

function refusal({ user, host, port }: SshTarget, said: string, { key, knownHosts }: SshOptions): string {
  const where = `${user}@${host}:${String(port)}`;
  const ways: readonly [RegExp, string][] = [
    [
      /host key verification failed|host key is known/i,
      `its host key is not known: compare it, and add it to ${knownHosts ?? '~/.ssh/known_hosts'} (ssh-keyscan -p ${String(port)} ${host}), or name a file by EXISTING_KNOWN_HOSTS`,
    ],
    [
      /permission denied/i,
      `it does not take ${key === undefined ? 'any key that ssh found' : `the key ${key}`}: put the public key into ~${user}/.ssh/authorized_keys there, or name another by EXISTING_KEY`,
    ],
    [/could not resolve/i, 'there is no such host'],
    [/refused|timed out|no route|closed by|reset/i, 'nobody answers there: does its sshd run, on this port?'],
  ];
  const way = ways.find(([pattern]) => pattern.test(said))?.[1] ?? 'ssh could not connect';
  return `There is no way into ${where}, as ${way}${way.endsWith('?') ? '' : '.'} ssh said: ${said.split('\n').slice(-3).join(' ') || 'nothing'}`;
}
