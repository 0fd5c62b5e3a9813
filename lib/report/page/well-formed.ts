/** For the tests of the page: what a parser would stumble over, and what a reader would see. */

const empty = new Set(['meta', 'br', 'input']);

/** The text between the tags, without scripts and styles, its blanks as one. */
export function textIn(page: string): string {
  const entities: Readonly<Record<string, string>> = {
    amp: '&',
    lt: '<',
    gt: '>',
    quot: '"',
    '#39': "'",
    ensp: ' ',
  };
  return page
    .replaceAll(/<(script|style)>[\s\S]*?<\/\1>/g, ' ')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/&([a-z0-9#]+);/g, (_, name: string) => entities[name] ?? '?')
    .replaceAll(/\s+/g, ' ');
}

/** Tags that do not match, attributes without quotes, and signs that should have been escaped; a line each. */
export function wellFormed(page: string): string[] {
  const problems: string[] = [];
  const open: string[] = [];
  const body = page
    .replace(/^<!doctype html>\n/, '')
    .replaceAll(/<(script|style)>[\s\S]*?<\/\1>/g, (_, tag: string) => `<${tag}></${tag}>`);
  const tag = /<(\/?)([a-z][a-z0-9]*)((?:\s+[a-z-]+(?:="[^"<]*")?)*)\s*(\/?)>/gi;
  for (const [whole, closing, name = '', , selfClosing] of body.matchAll(tag)) {
    if (closing) {
      const last = open.pop();
      if (last !== name) problems.push(`${whole} closes <${last ?? 'nothing'}>`);
    } else if (!empty.has(name) && !selfClosing) open.push(name);
  }
  if (open.length > 0) problems.push(`never closed: ${open.join(', ')}`);
  const rest = body.replaceAll(tag, ' ');
  for (const [sign] of rest.matchAll(/[<>].{0,40}|&(?!(?:amp|lt|gt|quot|ensp|#39);).{0,20}/g))
    problems.push(`stray: ${sign.trim()}`);
  return problems;
}
