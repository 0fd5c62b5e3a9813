import { ours } from '#lib/base/deadlines.ts';
import { ask, download, type Answer } from '#lib/base/download.ts';
import { RefusedError } from '#lib/base/errors.ts';
import { seconds, until } from '#lib/base/until.ts';
import type { Note } from '#lib/artifacts/store.ts';
import type { ReleasedFile } from './addresses.ts';
import { checksumOf } from './checksums.ts';

export interface Fetching {
  note: Note;
  signal?: AbortSignal | undefined;
}

/**
 * The text of a checksum file.
 *
 * @throws RefusedError that names the address when it is not there or cannot be reached
 */
export async function checksums(url: string, { signal }: Pick<Fetching, 'signal'> = {}): Promise<string> {
  let asked = 0;
  const settled = (answer: Answer): boolean => {
    signal?.throwIfAborted();
    const passing = 'unreachable' in answer || ('status' in answer && answer.status >= 500);
    return !passing || (asked += 1) >= 3;
  };
  const answer = await until(`an answer of ${url}`, async () => ask(url, ours.serverAnswers), settled, {
    within: ours.serverBack,
    every: seconds(1),
  });
  if ('text' in answer) return answer.text;
  throw new RefusedError(`${refusalOf(url, answer)}, so nothing can be verified that it would verify.`);
}

/** What is wrong with an answer that is no text, as the beginning of a sentence. */
export const refusalOf = (url: string, answer: Exclude<Answer, { text: string }>): string =>
  'status' in answer
    ? `${url} is not to be had (HTTP ${String(answer.status)})`
    : `${url} cannot be reached (${answer.unreachable})`;

/** All addresses of a released file. */
export const addressesOf = (released: ReleasedFile): ReleasedFile[] => [
  released,
  ...(released.elsewhere ?? []),
];

/**
 * Downloads a released file from the first of its addresses that has its checksum, and verifies it by that.
 *
 * @param to the file to be
 * @throws RefusedError that names what is wrong with the file or its checksum files
 */
export async function fetched(released: ReleasedFile, to: string, fetching: Fetching): Promise<void> {
  const { place, text } = await firstOf(addressesOf(released), fetching);
  const { file, url, checksums: list } = place;
  const sha256 = checksumOf(file, text, list);
  if (sha256 === undefined)
    throw new RefusedError(`${list} has no checksum of ${file}, so ${url} cannot be verified.`);
  await download({ url, to, sha256, ...fetching });
}

/** The first of these that has a checksum file, and its text. @throws RefusedError that says what each lacks */
async function firstOf(
  places: readonly ReleasedFile[],
  fetching: Fetching,
): Promise<{ place: ReleasedFile; text: string }> {
  const refusals: RefusedError[] = [];
  for (const place of places) {
    try {
      return { place, text: await checksums(place.checksums, fetching) };
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      refusals.push(error);
    }
  }
  throw new RefusedError(refusals.map(({ message }) => message).join(' '), { cause: refusals[0] });
}
