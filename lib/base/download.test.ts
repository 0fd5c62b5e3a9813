import { createHash } from 'node:crypto';
import { open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ask, download } from './download.ts';
import { RefusedError } from './errors.ts';
import { faultyServer, type Fault, type FaultyServer } from './faulty-server.ts';
import { temporary } from './temporary.ts';

const content = Buffer.alloc(300_000, 'what was released ');
const sha256 = createHash('sha256').update(content).digest('hex');
const path = '/1.2.3/thing.tar.gz';

/** How the rest of the file is asked for. */
const goingOn = /^\/1\.2\.3\/thing\.tar\.gz bytes=[1-9]\d{4,5}-$/;

let site: FaultyServer;
let dir: Awaited<ReturnType<typeof temporary>>;

beforeEach(async () => {
  [site, dir] = await Promise.all([faultyServer(), temporary()]);
  site.files.set(path, content);
});

afterEach(async () => {
  await site[Symbol.asyncDispose]();
  await dir[Symbol.asyncDispose]();
});

const fetchIt = async (
  more: { signal?: AbortSignal; note?: (text: string) => void } = {},
): Promise<Buffer> => {
  const to = join(dir.path, 'thing');
  await download({ url: site.address + path, to, sha256, stall: 300, every: 1, ...more });
  return readFile(to);
};

/** The message of what download throws; nothing may be left of the file. */
async function refusal(more?: Parameters<typeof fetchIt>[0]): Promise<string> {
  const error = await fetchIt(more).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(RefusedError);
  expect(await readdir(dir.path)).toEqual([]);
  return (error as RefusedError).message;
}

const wrong = (...faults: (Fault | 'none' | 'on')[]): void => {
  site.faults.set(path, faults);
};

describe('a download', () => {
  test('is the file, and says how far it is', async () => {
    const notes: string[] = [];

    expect((await fetchIt({ note: (text) => notes.push(text) })).equals(content)).toBe(true);

    expect(notes.at(-1)).toBe('0.3 of 0.3 MB of thing.tar.gz');
  });

  test.each<[string, Fault, RegExp]>([
    ['was cut off', 'cut', /^thing\.tar\.gz: .+ after 0\.\d of 0\.3 MB; asking for the rest$/],
    ['stalls', 'stalls', /^thing\.tar\.gz: nothing came for 0\.3 s after 0\.\d of 0\.3 MB; asking/],
  ])('that %s goes on where it ended', async (_, fault, said) => {
    wrong(fault);
    const notes: string[] = [];

    expect((await fetchIt({ note: (text) => notes.push(text) })).equals(content)).toBe(true);
    expect(notes).toContainEqual(expect.stringMatching(said));

    expect(site.asked).toEqual([path, expect.stringMatching(goingOn)]);
  });

  test('goes on as often as it makes progress', async () => {
    wrong('cut', 'cut', 'empty', 'cut', 'empty', 'empty', 'cut');

    expect((await fetchIt()).equals(content)).toBe(true);
  });

  test('begins anew from a server without ranges', async () => {
    site.ranges = false;
    wrong('cut');

    expect((await fetchIt()).equals(content)).toBe(true);
  });

  test('begins anew when the file is another one by now', async () => {
    site.files.set(path, Buffer.alloc(content.length, 'older'));
    const later = fetchIt({
      note: () => {
        site.files.set(path, content);
      },
    });
    wrong('cut');

    expect((await later).equals(content)).toBe(true);
    expect(site.asked).toHaveLength(2);
  });

  test.each<Fault>(['shifted', 'shorter'])('begins anew when the rest is %s', async (fault) => {
    wrong('cut', fault);

    expect((await fetchIt()).equals(content)).toBe(true);
    expect(site.asked).toEqual([path, expect.stringMatching(goingOn), path]);
  });

  test('outlives a server that is busy for a moment', async () => {
    wrong('busy', 'busy');

    expect((await fetchIt()).equals(content)).toBe(true);
  });
});

describe('refused by name is a file that', () => {
  test('is not there', async () => {
    wrong('absent');

    expect(await refusal()).toBe(`${site.address}${path} is not to be had (HTTP 404).`);
  });

  test('has another hash', async () => {
    wrong('damaged');

    expect(await refusal()).toMatch(
      new RegExp(`thing.tar.gz has the SHA-256 [0-9a-f]{64}, and its checksum file says ${sha256}: .*kept`),
    );
  });

  test('never comes whole, with how far it came', async () => {
    site.ranges = false;
    wrong('cut', 'on');

    expect(await refusal()).toMatch(
      /thing\.tar\.gz did not come whole after 0\.\d of 0\.3 MB: .*, and 3 attempts in a row brought no byte more/,
    );
  });

  test('brings nothing any more', async () => {
    site.ranges = false;
    wrong('stalls', 'on');

    expect(await refusal()).toMatch(
      /did not come whole after 0\.\d of 0\.3 MB: nothing came for 0\.3 s, and 3/,
    );
  });

  test('stays busy', async () => {
    wrong('busy', 'on');

    expect(await refusal()).toMatch(/did not come whole: HTTP 503, and 3 attempts/);
  });

  test('cannot be reached', async () => {
    await site[Symbol.asyncDispose]();

    expect(await refusal()).toMatch(/did not come whole: .*ECONNREFUSED.*, and 3 attempts/);
  });
});

test('a download that is called off ends at once, with nothing left', async () => {
  wrong('stalls', 'on');
  const off = new AbortController();

  const fetching = fetchIt({
    signal: off.signal,
    note: () => {
      off.abort(new Error('called off'));
    },
  });

  await expect(fetching).rejects.toThrow('called off');
  expect(await readdir(dir.path)).toEqual([]);
});

test('what the disk refuses is not asked for again', async () => {
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  const { constructor } = await open(join(dir.path, 'any'), 'w').then(async (file) => {
    await file.close();
    return file;
  });
  const appendFile = Object.getOwnPropertyDescriptor(constructor.prototype, 'appendFile');
  Object.defineProperty(constructor.prototype, 'appendFile', {
    configurable: true,
    value: async () => Promise.reject(full),
  });
  try {
    await expect(fetchIt()).rejects.toBe(full);
  } finally {
    Object.defineProperty(constructor.prototype, 'appendFile', appendFile ?? {});
  }
  expect(site.asked).toEqual([path]);
});

describe('a question for a small text', () => {
  test('brings the text', async () => {
    site.files.set('/sums', Buffer.from('abc'));

    expect(await ask(`${site.address}/sums`, 1000)).toEqual({ text: 'abc' });
  });

  test('tells another status', async () => {
    expect(await ask(`${site.address}/sums`, 1000)).toEqual({ status: 404 });
  });

  test('says what kept it from an answer', async () => {
    wrong('stalls', 'on');

    expect(await ask(site.address + path, 200)).toEqual({ unreachable: 'no answer within 0.2 s' });
    await site[Symbol.asyncDispose]();
    expect(await ask(site.address, 1000)).toMatchObject({
      unreachable: expect.stringContaining('ECONNREFUSED') as string,
    });
  });
});
