import { join } from 'node:path';

/** What a shell sources to have the clients of a lab, as it sources run.env in the article. */
export const clientEnv = (lab: { readonly dir: string }): string => join(lab.dir, 'client.env');

/** The text of that file: the lab's kubeconfig, and its programs before all others. */
export function clientSettings(kubeconfig: string, folders: readonly string[]): string {
  const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;
  return [
    `export KUBECONFIG=${quoted(kubeconfig)}`,
    `export PATH=${folders.map(quoted).join(':')}:"$PATH"`,
    '',
  ].join('\n');
}
