import { accessSync, closeSync, constants, openSync, readFileSync, readdirSync } from 'node:fs';
import { stat, statfs } from 'node:fs/promises';
import { release, tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { thisHost, type Host as PackagesHost } from '#lib/artifacts/host-packages.ts';
import { attempt, type Output } from '#lib/base/command.ts';
import { exists } from '#lib/base/files.ts';
import { ours } from '#lib/base/deadlines.ts';

/** The file system that a folder is on. */
export interface FileSystem {
  /** The folder, or the nearest one above it that is there. */
  folder: string;
  /** Which one it is: two folders with the same share its room. */
  device: number;
  freeMiB: number;
  /** Whether what is written there takes memory. */
  inMemory: boolean;
}

/** How this host is looked at; a test brings a made-up one. */
export interface Host extends PackagesHost {
  /** Runs a program and returns what it said, whatever its exit status. @throws CommandError at its deadline */
  attempt: (words: readonly string[], options?: { input?: string }) => Promise<Output>;
  /** The text of a file; undefined when it is not there or cannot be read. */
  read: (file: string) => string | undefined;
  /** The names in a folder; none when there is no such folder. */
  list: (folder: string) => string[];
  /** Whether a file or folder is there and can be written to; not so where it is mounted read-only. */
  writable: (path: string) => boolean;
  /** Whether a device can be opened for reading and writing. */
  opens: (device: string) => boolean;
  /** The file system that a folder is on, or will be on once it is made. */
  fileSystem: (folder: string) => Promise<FileSystem>;
  /** The system, as Node names it, such as linux or darwin. */
  system: NodeJS.Platform;
  /** The version of the kernel, as `uname -r` has it. */
  kernel: string;
  /** The version of Node.js, such as v20.19.0. */
  node: string;
  /** The folder for temporary files. */
  temporary: string;
}

/** This host itself. */
export const here = (): Host => ({
  ...thisHost(),
  attempt: async (words, options = {}) => attempt(words, { ...options, within: ours.hostLook }),
  read: (file) => orUndefined(() => readFileSync(file, 'utf8')),
  list: (folder) => orUndefined(() => readdirSync(folder)) ?? [],
  writable: (path) =>
    works(() => {
      accessSync(path, constants.W_OK);
    }),
  opens: (device) =>
    works(() => {
      closeSync(openSync(device, 'r+'));
    }),
  fileSystem: async (folder) => {
    let there = folder;
    while (!exists(there)) there = dirname(there);
    const [{ dev }, { bavail, bsize, type }] = [await stat(there), await statfs(there)];
    const memory = [tmpfsMagic, ramfsMagic].includes(type);
    return {
      folder: there,
      device: dev,
      freeMiB: Math.floor((bavail * bsize) / 1024 / 1024),
      inMemory: memory,
    };
  },
  system: process.platform,
  kernel: release(),
  node: process.version,
  temporary: tmpdir(),
});

/** What statfs(2) calls these file systems (linux/magic.h). */
const tmpfsMagic = 0x01021994;
const ramfsMagic = 0x858458f6;

function orUndefined<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}

const works = (tried: () => void): boolean =>
  orUndefined(() => {
    tried();
    return true;
  }) ?? false;
