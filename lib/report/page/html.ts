/** A piece of HTML. Only `html` makes one, so whatever is in it was written here or escaped. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What may stand in a template; nothing is shown of what is undefined, null or false. */
type Piece = string | number | Html | undefined | null | false | readonly Piece[];

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/**
 * HTML from a template: what is put into it is escaped, so that it reads as it is between tags and in quoted
 * attributes. Pieces of HTML stay as they are, and lists are joined.
 */
export function html(texts: TemplateStringsArray, ...pieces: readonly Piece[]): Html {
  const parts = texts.flatMap((text, place) => [text, place < pieces.length ? written(pieces[place]) : '']);
  return new Html(parts.join(''));
}

/** A text that is HTML, CSS or a script already, of this project's own files; never anything that a run has seen. */
export const trusted = (text: string): Html => new Html(text);

function written(piece: Piece): string {
  if (piece === undefined || piece === null || piece === false) return '';
  if (piece instanceof Html) return piece.text;
  if (typeof piece === 'object') return piece.map(written).join('');
  return escaped(String(piece));
}

function escaped(text: string): string {
  // HTML has no way to write most control characters
  // eslint-disable-next-line no-control-regex
  const writable = text.replaceAll(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F\uFFFE\uFFFF]/g, '�');
  return writable.replaceAll(/[&<>"']/g, (found) => entities[found] ?? found);
}
