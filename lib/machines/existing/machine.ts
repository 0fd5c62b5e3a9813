import { randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { ours } from '#lib/base/deadlines.ts';
import { until } from '#lib/base/until.ts';
import type { FileOptions, Machine } from '#lib/machines/machine.ts';
import { putInPlace, shellMachine } from '#lib/machines/shell-machine.ts';
import type { Ssh } from './ssh.ts';

/** Where a machine that is not ours keeps what was there before us, and notes what we made. */
export const stateFolder = '/var/lib/istio-vm-conformance';

/**
 * A machine that somebody else made. A file is noted before it is written, and kept if it was there before, so that
 * `giveBack` leaves the machine's files as they were.
 */
export interface BorrowedMachine extends Machine {
  /** Notes what is about to be changed by other means than `write` and `upload`, so that it is given back as well. */
  lend(what: Lent): Promise<void>;
  giveBack(): Promise<void>;
}

/** What of a machine will be made, or changed where it is there already. */
export interface Lent {
  /** Files, and folders with all that is in them. */
  paths: readonly string[];
  /** Debian packages that will be installed: removed at the end, with their configuration. One that is there stays. */
  packages: readonly string[];
  users: readonly string[];
  /** Units of systemd that will be started: stopped at the end. */
  units: readonly string[];
}

/** @param state where it notes what it makes */
export function borrowedMachine(ssh: Ssh, name: string, state = stateFolder): BorrowedMachine {
  const shell = shellMachine(name, async (words, options) => ssh.exec(words, options));
  const noted = async (path: string): Promise<void> => {
    await shell.run(['sh', '-c', noting, '-', state, path]);
  };
  const write = async (path: string, content: string | Uint8Array, options?: FileOptions): Promise<void> => {
    await noted(path);
    await shell.write(path, content, options);
  };
  const bootId = async (): Promise<string> =>
    (
      await shell.run(['cat', '/proc/sys/kernel/random/boot_id'], { within: ours.machineAnswers })
    ).stdout.trim();
  const cannot = (what: string) => async (): Promise<never> =>
    Promise.reject(
      new Error(`Machine ${name} is not this harness's to ${what}: it could not be started again.`),
    );

  return {
    ...shell,
    write,
    address: async () => {
      // of several it has the one by which we came
      const { stdout } = await shell.run(['sh', '-c', 'echo "$SSH_CONNECTION"']);
      const all = await shell.addresses();
      const own = all.find((one) => stdout.split(' ')[2] === one) ?? all[0];
      if (own === undefined) throw new Error(`Machine ${name} has no IPv4 address of its own.`);
      return own;
    },
    upload: async (local, remote, options = {}) => {
      const { size } = await stat(local);
      const draft = `/var/tmp/conformance-${randomBytes(8).toString('hex')}`;
      await noted(remote);
      await ssh.copy(local, draft);
      await putInPlace(shell, draft, remote, size, options);
    },
    start: async () => {
      await shell.run(['true']);
    },
    stop: cannot('switch off'),
    restart: async () => {
      const before = await bootId();
      // how it ends may never be told, as the connection ends with the machine
      await shell
        .attempt(['systemctl', 'reboot', '--no-block'], { within: ours.machineAnswers })
        .catch(() => undefined);
      await ssh.disconnect();
      await until(
        `machine ${name} has booted again`,
        async () => bootId(),
        (now) => now !== before,
        { within: ours.vmBoots, every: 1000 },
      );
    },
    size: async () => {
      const script = 'nproc; grep MemTotal /proc/meminfo; df --output=size -B1 / | tail -n 1';
      const { stdout } = await shell.run(['sh', '-c', script]);
      const [cpus = 0, memoryKiB = 0, bytes = 0] = (stdout.match(/\d+/g) ?? []).map(Number);
      return { cpus, memoryMiB: Math.round(memoryKiB / 1024), diskGiB: bytes / 1024 ** 3 };
    },
    lend: async (what) => {
      const kinds = ['path', 'package', 'user', 'unit'] as const;
      const lines = kinds.flatMap((kind) => what[`${kind}s`].map((name) => `${kind} ${name}\n`));
      await shell.run(['sh', '-c', lending, '-', state], { input: lines.join('') });
    },
    giveBack: async () => {
      await shell.run(['sh', '-c', restoring, '-', state], { within: ours.packing });
    },
  };
}

/** One line for each path: how it was before, and the path. The first note of a path counts. */
const noting = [
  'set -e; umask 077; state=$1 path=$2; mkdir -p "$state/before"; touch "$state/made"',
  'grep -qxF "file $path" "$state/made" && exit 0; grep -qxF "kept $path" "$state/made" && exit 0',
  // folders that are made on the way, outermost last
  'folder=$(dirname "$path")',
  'while [ ! -e "$folder" ]; do grep -qxF "folder $folder" "$state/made" || echo "folder $folder" >>"$state/folders"; folder=$(dirname "$folder"); done',
  'if [ -e "$path" ] || [ -L "$path" ]; then',
  '  mkdir -p "$state/before$(dirname "$path")"; cp -a "$path" "$state/before$path"; echo "kept $path" >>"$state/made"',
  'else echo "file $path" >>"$state/made"; fi',
].join('\n');

/** Reads "<kind> <name>" lines; notes each that is not there as one to be removed, and keeps what is there. */
const lending = [
  'set -e; umask 077; state=$1; mkdir -p "$state/before"; touch "$state/lent"',
  'while read -r kind name; do',
  '  grep -qxE "(new|kept)-$kind $name" "$state/lent" && continue',
  '  how=new',
  '  case $kind in',
  '  path) if [ -e "$name" ] || [ -L "$name" ]; then how=kept; mkdir -p "$state/before$(dirname "$name")"; cp -a "$name" "$state/before$name"; fi ;;',
  '  package) if dpkg-query -W -f "\\${Status}" "$name" 2>/dev/null | grep -q "ok installed"; then how=kept; fi ;;',
  '  user) if id "$name" >/dev/null 2>&1; then how=kept; fi ;;',
  '  unit) if systemctl is-active --quiet "$name" 2>/dev/null; then how=kept; fi ;;',
  '  esac',
  '  echo "$how-$kind $name" >>"$state/lent"',
  'done',
].join('\n');

const restoring = [
  'set -e; state=$1; [ -d "$state" ] || exit 0',
  'if [ -e "$state/lent" ]; then',
  // what runs is ended before its files go, and a package before what its removal would leave
  '  for kind in unit package user path; do grep -E "^[a-z]+-$kind " "$state/lent" | while read -r how name; do',
  '    case $how in',
  '    new-unit) systemctl disable --now --quiet "$name" 2>/dev/null || systemctl stop "$name" 2>/dev/null || true; systemctl reset-failed "$name" 2>/dev/null || true ;;',
  '    new-package) if dpkg-query -W "$name" >/dev/null 2>&1; then dpkg --purge "$name" >/dev/null </dev/null; fi ;;',
  '    new-user) if id "$name" >/dev/null 2>&1; then userdel "$name" </dev/null; fi; if getent group "$name" >/dev/null; then groupdel "$name"; fi ;;',
  '    new-path) rm -rf "$name" ;;',
  '    kept-path) rm -rf "$name"; cp -a "$state/before$name" "$name" ;;',
  '    esac',
  '  done; done',
  '  if grep -q "^new-unit" "$state/lent"; then systemctl daemon-reload; fi',
  'fi',
  'if [ -e "$state/made" ]; then while read -r how path; do',
  '  case $how in file) rm -f "$path" ;; kept) cp -a --remove-destination "$state/before$path" "$path" ;; esac',
  'done <"$state/made"; fi',
  // what somebody else put into a folder of ours stays
  'if [ -e "$state/folders" ]; then sort -ru "$state/folders" | while read -r _ folder; do rmdir "$folder" 2>/dev/null || true; done; fi',
  'rm -rf "$state"',
].join('\n');
