import { open, rm, type FileHandle } from 'node:fs/promises';
import { msOf, toldOf, type Within } from './deadline.ts';
import { ours } from './deadlines.ts';
import { messageOf, RefusedError } from './errors.ts';
import { sha256File } from './files.ts';
import { seconds, until } from './until.ts';

export interface Download {
  /** An http or https address; redirects are followed. */
  url: string;
  /** The file to be. */
  to: string;
  /** What all of it must hash to (SHA-256, in hex). */
  sha256: string;
  /** Told how far it is, for whoever watches. */
  note?: (text: string) => void;
  /** Calls it off. */
  signal?: AbortSignal | undefined;
  /** After how many milliseconds without a byte a connection is given up; 20 000 unless told. */
  stall?: number | undefined;
  /** Milliseconds between two attempts; 1000 unless told. */
  every?: number | undefined;
}

/** What a server said to a question for a small text: the text, another status than 200, or nothing. */
export type Answer = { text: string } | { status: number } | { unreachable: string };

/** So many attempts in a row may bring no byte before a download is given up. */
const patience = 3;

/** A small file of text is no larger than this, in bytes. */
const mostText = 1024 * 1024;

/** How one attempt ended; an error that is over is not tried again. */
type Ending = { is: 'whole' } | { is: 'cut'; why: string } | { is: 'over'; error: unknown };

/** What of the file is on disk. */
interface Got {
  bytes: number;
  /** How many bytes there are, when the server says so. */
  total?: number;
  /** The strong entity tag or the date that the server gave this content. */
  validator?: string;
}

/**
 * Downloads a file. What was cut off, or brought nothing for a while, is taken up again where it ended (a range, RFC 9110
 * section 14) or, from a server without ranges, at its beginning. Nothing is left of a file that did not come whole.
 *
 * @throws RefusedError that names the address when it is not there, cannot be reached, never comes whole, or its hash is
 *   another
 */
export async function download(plan: Download): Promise<void> {
  const { url, to, sha256, every = seconds(1) } = plan;
  try {
    // each write goes to the end, also after what was there has been dropped
    const file = await open(to, 'a');
    try {
      await file.truncate(0);
      const got: Got = { bytes: 0 };
      let most = 0;
      let inVain = 0;
      const good = (ending: Ending): boolean => {
        if (ending.is === 'over') throw ending.error;
        if (ending.is === 'whole') return true;
        inVain = got.bytes > most ? 0 : inVain + 1;
        most = Math.max(most, got.bytes);
        if (inVain < patience) {
          plan.note?.(
            `${nameOf(url)}: ${ending.why} after ${amount(got.bytes, got.total)}; asking for the rest`,
          );
          return false;
        }
        const far = most > 0 ? ` after ${amount(most, got.total)}` : '';
        throw new RefusedError(
          `${url} did not come whole${far}: ${ending.why}, and ${String(patience)} attempts in a row brought no byte more. Nothing of it was kept; another run begins anew.`,
        );
      };
      // every attempt has deadlines of its own, so this one is for what makes progress without end
      await until(`all of ${url}`, async () => attempt(plan, file, got), good, {
        within: ours.download,
        every,
      });
    } finally {
      await file.close();
    }
    const found = await sha256File(to);
    if (found !== sha256) {
      throw new RefusedError(
        `${url} has the SHA-256 ${found}, and its checksum file says ${sha256}: it was damaged on the way, or is not what was released. Nothing of it was kept.`,
      );
    }
  } catch (error) {
    await rm(to, { force: true });
    throw error;
  }
}

/**
 * Asks for a small text. Whatever comes of it is an answer; nothing is thrown.
 *
 * @param within until what did not answer counts as unreachable
 */
export async function ask(url: string, within: Within): Promise<Answer> {
  try {
    const response = await fetch(url, { headers: asItIs, signal: AbortSignal.timeout(msOf(within)) });
    if (response.status !== 200) {
      await response.body?.cancel();
      return { status: response.status };
    }
    const parts: Uint8Array[] = [];
    let bytes = 0;
    for await (const part of bodyOf(response)) {
      bytes += part.length;
      if (bytes > mostText) return { text: '' };
      parts.push(part);
    }
    return { text: Buffer.concat(parts).toString() };
  } catch (error) {
    const late = error instanceof Error && error.name === 'TimeoutError';
    return { unreachable: late ? `no answer within ${toldOf(within)}` : reasonOf(error) };
  }
}

/** A compressed transfer would be unpacked on the way, and ranges and checksums are those of the file. */
const asItIs = { 'accept-encoding': 'identity' };

/** Asks for what is missing, and writes what comes. */
async function attempt(plan: Download, file: FileHandle, got: Got): Promise<Ending> {
  const { url, note, signal, stall = ours.downloadStall } = plan;
  if (signal?.aborted) return { is: 'over', error: signal.reason };
  const idle = new AbortController();
  const timer = setTimeout(() => {
    idle.abort(new Error(`nothing came for ${toldOf(stall)}`));
  }, msOf(stall));
  try {
    const response = await fetch(url, {
      headers: { ...asItIs, ...rest(got) },
      signal: AbortSignal.any([idle.signal, ...(signal ? [signal] : [])]),
    });
    timer.refresh();
    const unusable = await settle(url, response, file, got);
    if (unusable) {
      await response.body?.cancel();
      return unusable;
    }
    for await (const part of bodyOf(response)) {
      timer.refresh();
      await file.appendFile(part);
      got.bytes += part.length;
      note?.(`${amount(got.bytes, got.total)} of ${nameOf(url)}`);
    }
    const whole = got.total === undefined || got.bytes >= got.total;
    return whole ? { is: 'whole' } : { is: 'cut', why: 'the server ended it' };
  } catch (error) {
    if (signal?.aborted) return { is: 'over', error: signal.reason };
    // fetch throws TypeErrors; what writing throws (a full disk) is not mended by asking again
    const network = idle.signal.aborted || error instanceof TypeError;
    return network ? { is: 'cut', why: reasonOf(error) } : { is: 'over', error };
  } finally {
    clearTimeout(timer);
  }
}

/** The headers that ask for what is missing, if it still is the same file. */
function rest({ bytes, validator }: Got): Record<string, string> {
  if (bytes === 0) return {};
  return {
    range: `bytes=${String(bytes)}-`,
    ...(validator !== undefined && { 'if-range': validator }),
  };
}

/** Makes what is on disk fit what the server is about to send; an ending when it sends nothing of use. */
async function settle(
  url: string,
  { status, headers }: Response,
  file: FileHandle,
  got: Got,
): Promise<Ending | undefined> {
  const anew = async (): Promise<void> => {
    await file.truncate(0);
    got.bytes = 0;
  };
  if (status === 206) {
    const [, from, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get('content-range') ?? '') ?? [];
    if (Number(from) === got.bytes) {
      if (total !== '*') got.total = Number(total);
      return undefined;
    }
    await anew();
    return { is: 'cut', why: `it sent another range than the one asked for (${from ?? 'none'})` };
  }
  if (status === 200) {
    await anew();
    const length = headers.get('content-length');
    if (length === null) delete got.total;
    else got.total = Number(length);
    const tag = headers.get('etag');
    const validator = tag !== null && !tag.startsWith('W/') ? tag : headers.get('last-modified');
    if (validator === null) delete got.validator;
    else got.validator = validator;
    return undefined;
  }
  if (status === 416) {
    await anew();
    return { is: 'cut', why: 'it has become shorter (HTTP 416)' };
  }
  const passing = status >= 500 || status === 408 || status === 429;
  if (passing) return { is: 'cut', why: `HTTP ${String(status)}` };
  return { is: 'over', error: new RefusedError(`${url} is not to be had (HTTP ${String(status)}).`) };
}

async function* bodyOf(response: Response): AsyncIterable<Uint8Array> {
  if (response.body) yield* response.body;
}

/** What fetch wraps into "fetch failed" or "terminated". */
function reasonOf(error: unknown): string {
  const { cause } = error as { cause?: { code?: string; message?: string } };
  return cause?.message || cause?.code || messageOf(error);
}

const nameOf = (url: string): string => url.slice(url.lastIndexOf('/') + 1);

const amount = (bytes: number, total?: number): string =>
  `${total === undefined ? '' : `${megabytes(bytes)} of `}${megabytes(total ?? bytes)} MB`;

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
