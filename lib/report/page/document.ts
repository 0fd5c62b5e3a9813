import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { html, trusted, type Html } from './html.ts';

const asset = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64');

/** One HTML file with all that it needs. It loads nothing, and a browser runs no script in it but its own. */
export function document({ title, body }: { title: string; body: Html }): string {
  const style = asset('page.css');
  const script = asset('client/page.js');
  const policy = [
    "default-src 'none'",
    "style-src 'unsafe-inline'",
    `script-src 'sha256-${sha256(script)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  // formatted, the script would not have the sum that the policy names
  // prettier-ignore
  const { text } = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>
${trusted(style)}</style>
</head>
<body>
${body}
<script>${trusted(script)}</script>
</body>
</html>
`;
  return text;
}
