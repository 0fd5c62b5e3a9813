import { RefusedError } from '#lib/base/errors.ts';

/**
 * The hash of a file in a checksum file as sha256sum writes it: a line for each file, or one hash without a name.
 *
 * @param url where the checksum file came from, for the refusal
 * @returns 64 lower-case hex digits, or undefined when the file is none of those listed
 * @throws RefusedError when the text is no checksum file
 */
export function checksumOf(file: string, text: string, url: string): string | undefined {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const entries = lines.map((line) => /^([0-9a-f]{64})(?:\s+\*?(\S+))?\s*$/i.exec(line));
  const [first] = entries;
  if (!first || entries.includes(null)) {
    const found = lines.find((_, i) => !entries[i]) ?? '';
    throw new RefusedError(
      `${url} is no checksum file: expected lines of a SHA-256 and a name, found "${found.slice(0, 60)}".`,
    );
  }
  const named = entries.find((entry) => entry?.[2]?.split('/').at(-1) === file);
  const only = entries.length === 1 && first[2] === undefined ? first : undefined;
  return (named ?? only)?.[1]?.toLowerCase();
}
