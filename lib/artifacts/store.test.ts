import {
  appendFile,
  chmod,
  link,
  mkdir,
  mkdtemp,
  readdir,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { CommandError } from '#lib/base/command.ts';
import { RefusedError } from '#lib/base/errors.ts';
import { readJson } from '#lib/base/files.ts';
import { manifestFile, type Manifest } from './manifest.ts';
import { keyOf, produce, type Build, type ProduceOptions } from './store.ts';

let store: string;
let said: string[];

beforeEach(async () => {
  store = await mkdtemp(join(tmpdir(), 'store-test-'));
  said = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said.push(String(text));
    return true;
  });
});

afterEach(async () => {
  vi.restoreAllMocks();
  await rm(store, { recursive: true });
});

const program: Build = async (dir) => writeFile(join(dir, 'program'), 'content', { mode: 0o755 });
const make = async (build: Build = program, options: ProduceOptions = {}): Promise<string> =>
  produce('thing', { version: 1 }, 'The thing', 1000, build, { store, ...options });
const never: Build = async () => Promise.reject(new Error('built again'));
const entries = async (): Promise<string[]> => (await readdir(store)).filter((name) => name !== 'durations');

test('an artifact is built once and found after that', async () => {
  const path = await make();

  expect(path).toMatch(/\/thing-[0-9a-f]{12}$/);
  expect(await make(never)).toBe(path);
  expect(await entries()).toHaveLength(1);
});

test('name and inputs make up the key, the order of keys does not', () => {
  expect(keyOf('a', { x: 1, y: { b: 1, a: [2] } })).toBe(keyOf('a', { y: { a: [2], b: 1 }, x: 1 }));
  expect(keyOf('a', { x: 1 })).not.toBe(keyOf('a', { x: 2 }));
  expect(keyOf('a', { x: 1 })).not.toBe(keyOf('b', { x: 1 }));
});

test('of two at once one builds and the other waits', async () => {
  let builds = 0;
  const slow: Build = async (dir, note, run) => {
    builds += 1;
    await program(dir, note, run);
  };

  const [first, second] = await Promise.all([make(slow), make(slow)]);

  expect(first).toBe(second);
  expect(builds).toBe(1);
});

test('a build that fails leaves nothing, and the next one builds', async () => {
  const half: Build = async (dir) => {
    await writeFile(join(dir, 'half'), 'x');
    throw new Error('compiler says no');
  };

  await expect(make(half)).rejects.toThrow('compiler says no');

  expect(await entries()).toEqual([]);
  await make();
  expect(await entries()).toHaveLength(1);
});

test('what a killed run left half-built is removed', async () => {
  const folder = `thing-${keyOf('thing', { version: 1 })}`;
  await mkdir(join(store, `${folder}.0badf00d.draft`));

  await make();

  expect(await entries()).toEqual([folder]);
  expect(said.join('')).toMatch(/Removing .*0badf00d\.draft, which an earlier run left half-built/);
});

test('a changed byte is found by its hash, and the artifact is built again', async () => {
  const path = await make();
  await writeFile(join(path, 'program'), 'CONTENT');

  expect(await make()).toBe(path);

  expect(said.join('')).toMatch(
    /corrupted: program, expected [0-9a-f]{64}, found [0-9a-f]{64}; building it again/,
  );
  expect(await make(never)).toBe(path);
});

test.each<[string, (path: string) => Promise<void>]>([
  ['a longer file', async (path) => appendFile(join(path, 'program'), '!')],
  ['a missing file', async (path) => rm(join(path, 'program'))],
  ['a mode that was taken away', async (path) => chmod(join(path, 'program'), 0o644)],
  ['a manifest cut short', async (path) => writeFile(join(path, manifestFile), '{ "files": [')],
  ['a missing manifest', async (path) => rm(join(path, manifestFile))],
])('%s is a corruption too', async (_, harm) => {
  const path = await make();
  await harm(path);

  await expect(make(never)).rejects.toThrow('built again');
  expect(said.join('')).toContain('is corrupted: ');
});

test('a file that was only touched is hashed once, and its new times are kept', async () => {
  const path = await make();
  await utimes(join(path, 'program'), 1, 1);

  expect(await make(never)).toBe(path);

  const manifest = readJson<Manifest>(join(path, manifestFile));
  expect(manifest?.files[0]?.mtimeNs).toBe('1000000000');
});

test('hard links change the ctime, which does not count for an artifact that is hard-linked', async () => {
  const path = await make(program, { hardLinked: true });
  const before = await stat(join(path, manifestFile));
  await link(join(path, 'program'), join(store, 'linked'));

  expect(await make(never, { hardLinked: true })).toBe(path);

  expect((await stat(join(path, manifestFile))).mtimeMs).toBe(before.mtimeMs);
});

test.each([
  ['of the file system', Object.assign(new Error('write'), { code: 'ENOSPC' })],
  [
    'of a program',
    new CommandError(['ld'], 'Exit status 1', {
      stdout: '',
      stderr: 'x: No space left on device',
      code: 1,
      ms: 1,
    }),
  ],
])('a full disk, in words %s, is refused with the folder and the room in it', async (_, error) => {
  const full: Build = async () => Promise.reject(error);

  const refusal = await make(full).catch((thrown: unknown) => thrown);

  expect(refusal).toBeInstanceOf(RefusedError);
  expect((refusal as RefusedError).message).toMatch(
    /The disk is full \(The thing\): .*store-test-.* has \d+ MiB free/,
  );
  expect(await entries()).toEqual([]);
});

test('what is no longer wanted is not built', async () => {
  await expect(make(program, { signal: AbortSignal.abort() })).rejects.toThrow('aborted');

  expect(await entries()).toEqual([]);
});

test('a later build of the same name is expected to take what the last one took', async () => {
  await make();
  await produce('thing', { version: 2 }, 'The thing', 3_600_000, program, { store });

  expect(said.join('')).toMatch(/The thing \(about 1\.0 s\)/);
  expect(said.join('')).toMatch(/The thing \(about 0\.\d s\)/);
});
