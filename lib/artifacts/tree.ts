import { chmod, copyFile, cp, mkdir, readdir, realpath, stat, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CommandError, type Run } from '#lib/base/command.ts';
import { fixture } from '#lib/base/paths.ts';

/** What a small root file system holds; no distribution, no package manager. */
export interface Tree {
  /** Path in the tree -> file or folder on this host. */
  files?: Readonly<Record<string, string>>;
  /** Programs of this host, copied to the same path with the shared libraries they ask for. */
  programs?: readonly string[];
  /** Programs among the files that need their shared libraries beside them. */
  linked?: readonly string[];
  /** Folders of this host with libraries that a program loads by itself. */
  plugins?: readonly string[];
  /** Symbolic links: path in the tree -> target. */
  links?: Readonly<Record<string, string>>;
}

/** Writes a root file system: users and name service of fixtures/images/base, certificates, /tmp, and the tree. */
export async function plantTree(root: string, tree: Tree, run: Run): Promise<void> {
  const { files = {}, programs = [], linked = [], plugins = [], links = {} } = tree;
  await cp(fixture('images', 'base'), root, { recursive: true });
  for (const dir of ['run', 'tmp', 'var/tmp']) {
    await mkdir(join(root, dir), { recursive: true });
    await chmod(join(root, dir), dir === 'run' ? 0o755 : 0o1777);
  }
  const certificates = '/etc/ssl/certs/ca-certificates.crt';
  const libraries = await librariesOf([...programs, ...linked, ...(await filesIn(plugins))], run);
  const same = [...programs, ...plugins, ...libraries].map((path) => [path, path]);
  for (const [target = '', source = ''] of [
    [certificates, certificates],
    ...Object.entries(files),
    ...same,
  ]) {
    const path = join(root, target);
    await mkdir(dirname(path), { recursive: true });
    // what is a link on the host (alternatives, versions of libraries) is a file in the tree
    const real = await realpath(source);
    if ((await stat(real)).isDirectory()) await cp(real, path, { recursive: true, dereference: true });
    else await copyFile(real, path);
  }
  for (const [path, target] of Object.entries(links)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await symlink(target, join(root, path));
  }
}

/** The shared libraries, and the loader, that these programs or libraries are linked against. */
export async function librariesOf(paths: readonly string[], run: Run): Promise<string[]> {
  if (paths.length === 0) return [];
  const stdout = (await Promise.all(paths.map(async (path) => lddOf(path, run)))).join('\n');
  const missing = /^\s*(\S+) => not found$/m.exec(stdout)?.[1];
  if (missing !== undefined) {
    throw new Error(`Library ${missing}, which one of ${paths.join(', ')} needs, is not on this machine.`);
  }
  const found = stdout.matchAll(/^\s+(?:\S+ => )?(\/\S+) \(0x[0-9a-f]+\)$/gm);
  return [...new Set([...found].map(([, path = '']) => path))].sort();
}

/** What ldd says of a program or library; of one that is linked statically, nothing. */
async function lddOf(path: string, run: Run): Promise<string> {
  try {
    return (await run(['ldd', path])).stdout;
  } catch (error) {
    const said = error instanceof CommandError ? error.output.stdout + error.output.stderr : '';
    if (said.includes('not a dynamic executable')) return '';
    throw error;
  }
}

async function filesIn(folders: readonly string[]): Promise<string[]> {
  const lists = await Promise.all(
    folders.map(async (dir) => (await readdir(dir)).map((name) => join(dir, name))),
  );
  return lists.flat();
}
