import { expect, test } from 'vitest';
import { html, trusted } from './html.ts';
import { nasty } from './sample.ts';
import { textIn, wellFormed } from './well-formed.ts';

test('what is put into HTML is escaped, in texts and in attributes; HTML and lists are taken as they are', () => {
  const { text } = html`<p title="${nasty}">${nasty} ${[html`<b>${'<'}</b>`, 7]} ${trusted('<i>x</i>')}</p>`;
  expect(wellFormed(text)).toEqual([]);
  expect(textIn(text).trim()).toBe(`${nasty.replaceAll(/\s+/g, ' ')} < 7 x`);
  expect(text).toContain('&quot;alert(1)&quot;');
});

test('nothing is shown of what is not there, and no control character is left', () => {
  expect(html`${undefined}${null}${false}${0}`.text).toBe('0');
  expect(html`a${'\u0000\u001B[31mred\n'}`.text).toBe('a��[31mred\n');
});

test.each([
  ['<p><b>x</p>', '</p> closes <b>'],
  ['<p>x', 'never closed: p'],
  ['<p>1 < 2</p>', 'stray: < 2'],
  ['<p>a & b</p>', 'stray: & b'],
  ['<p title="a" b">x</p>', '</p> closes <nothing>'],
])('the tests see that %s is not well-formed', (text, problem) => {
  expect(wellFormed(text)).toContain(problem);
});
