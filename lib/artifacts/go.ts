import { rename } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Run, RunOptions } from '#lib/base/command.ts';
import { ours } from '#lib/base/deadlines.ts';
import { fixture } from '#lib/base/paths.ts';
import { debianName, type Architecture } from './architecture.ts';
import { hashesOf } from './manifest.ts';
import type { Note } from './store.ts';

/** Programs of one Go module, pinned by the go.mod and go.sum of a folder under fixtures/. */
export interface GoPrograms {
  folder: string;
  /** File name of each program -> its package. */
  programs: Readonly<Record<string, string>>;
  /** Variables set by the linker: full name -> value. */
  values?: Readonly<Record<string, string>>;
  /** What they are built for, unless it is this machine's. */
  architecture?: Architecture;
  /** Whether they run on this host, whatever its system; all others run on the machines of a lab, which have Linux. */
  onHost?: boolean;
}

/** What decides how the programs come out, for the key of the artifact. */
export async function goInputs({ folder, programs, values = {}, architecture }: GoPrograms): Promise<object> {
  const arch = architecture ?? process.arch;
  return { sources: await hashesOf(fixture(folder)), programs, flags: flagsFor(values), arch };
}

/**
 * Builds the programs into `dir`, static and without symbols. go.sum is read-only, so a module whose hash differs from
 * the pinned one ends the build.
 */
export async function goBuild(
  { folder, programs, values = {}, architecture, onHost = false }: GoPrograms,
  dir: string,
  note: Note,
  run: Run,
): Promise<void> {
  const flags = flagsFor(values);
  const packages = Object.values(programs);
  const options: RunOptions = {
    cwd: fixture(folder),
    env: {
      ...{ CGO_ENABLED: '0', GOFLAGS: '-mod=readonly', GOWORK: 'off' },
      ...(onHost ? {} : { GOOS: 'linux' }),
      ...(architecture && { GOARCH: debianName(architecture) }),
    },
    within: ours.build,
  };

  let fetched = 0;
  const onFetch = (line: string): void => {
    const [, what] = /^go: downloading (\S+)/.exec(line) ?? [];
    if (what !== undefined) note(`downloading module ${String((fetched += 1))}, ${what}`);
  };
  const stale = ['list', '-deps', ...flags, '-f', '{{if .Stale}}{{.ImportPath}}{{end}}', ...packages];
  const { stdout } = await run(['go', ...stale], { ...options, onLine: onFetch });
  const wanted = new Set(stdout.split('\n').filter(Boolean));

  // the programs themselves always count as stale
  note(wanted.size > packages.length ? 'compiling' : 'linking');
  let done = 0;
  await run(['go', 'build', '-v', ...flags, '-o', `${dir}/`, ...packages], {
    ...options,
    onLine: (line) => {
      if (wanted.delete(line)) done += 1;
      const all = done + wanted.size;
      if (done > 0) note(wanted.size > 0 ? `package ${String(done)} of ${String(all)}, ${line}` : 'linking');
      onFetch(line);
    },
  });
  for (const [name, path] of Object.entries(programs)) {
    if (goName(path) !== name) await rename(join(dir, goName(path)), join(dir, name));
  }
}

/** The folder of a module that the build has brought into Go's module cache. */
export async function goModule(folder: string, path: string, run: Run): Promise<string> {
  const { stdout } = await run(['go', 'list', '-m', '-f', '{{.Dir}}', path], {
    cwd: fixture(folder),
    env: { GOFLAGS: '-mod=readonly', GOWORK: 'off' },
  });
  return stdout.trim();
}

/** Without symbols, and with no trace of where or from which checkout it was built. */
function flagsFor(values: Readonly<Record<string, string>>): string[] {
  const linker = ['-s', '-w', ...Object.entries(values).map(([name, value]) => `-X ${name}=${value}`)];
  return ['-trimpath', '-buildvcs=false', '-ldflags', linker.join(' ')];
}

/** What `go build` calls the program of a package: the last part of its path that is no major version. */
function goName(path: string): string {
  return basename(path.replace(/\/v\d+$/, ''));
}
