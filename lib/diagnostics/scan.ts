/** A secret that must not be in a bundle, by what it is. */
export interface Known {
  what: string;
  text: string;
}

/** What secrets look like, written apart from lib/base/redact.ts: what that misses is to be found here. */
const shapes: readonly [string, RegExp][] = [
  ['a private key', /PRIVATE[ +]KEY-{3,5}(?!.{0,20}withheld)/],
  ['a token', /\beyJ(?:[\w-]{10,}\.[\w-]{4,}|hbGci[\w-]{8,})/],
  ['a password', /\b(?:password|passwd|secret_?key)["']?\s*[:=]\s*["']?(?!\()[^\s"',;()[\]{}<>$]{6,}/i],
  ['credentials in a header', /\bauthorization["']?\s*[:=]\s*["']?(?:bearer|basic)\s+[\w.~+/=-]{8,}/i],
];

/** Runs of base64 that are long enough to hold a secret. */
const base64 = /[A-Za-z0-9+/_-]{48,}={0,2}/g;

/**
 * What secrets a text still has, by what they are; each once.
 *
 * @param known the secrets of this lab, which are found as they are and in base64
 */
export function secretsIn(text: string, known: readonly Known[] = []): string[] {
  const plain = text.replaceAll(String.raw`\n`, '\n');
  const found = new Set(shaped(plain));
  for (const what of owned(plain, known)) found.add(what);
  for (const [run] of plain.matchAll(base64)) {
    const inner = Buffer.from(run, 'base64').toString('latin1');
    for (const what of [...shaped(inner), ...owned(inner, known)]) found.add(`${what} in base64`);
  }
  return [...found];
}

const shaped = (text: string): string[] =>
  shapes.flatMap(([what, shape]) => (shape.test(text) ? [what] : []));

const owned = (text: string, known: readonly Known[]): string[] =>
  known.flatMap(({ what, text: secret }) => (text.includes(secret) ? [what] : []));

/** The parts by which a secret is recognised in whatever way its lines are broken. Short ones would be anywhere. */
export function telling(what: string, secret: string): Known[] {
  return secret
    .split(/\s+|\\n/)
    .filter((part) => part.length >= 24 && !part.startsWith('-----'))
    .map((text) => ({ what, text }));
}
