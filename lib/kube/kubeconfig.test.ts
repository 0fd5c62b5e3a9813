import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RefusedError } from '#lib/base/errors.ts';
import { temporary } from '#lib/base/temporary.ts';
import { contextOf } from './kubeconfig.ts';

const two = `
apiVersion: v1
kind: Config
current-context: one
clusters:
  - { name: a, cluster: { server: 'https://a.example:6443', certificate-authority: ca.crt } }
  - { name: b, cluster: { server: 'https://b.example' } }
users:
  - { name: me, user: { token: my-token } }
  - { name: you, user: { token: your-token } }
contexts:
  - { name: one, context: { cluster: a, user: me } }
  - { name: two, context: { cluster: b, user: you } }
  - { name: lost, context: { cluster: c, user: me } }
  - { name: nobody, context: { cluster: a, user: who } }
`;

async function taken(text: string, context?: string): Promise<ReturnType<typeof contextOf>> {
  await using folder = await temporary();
  const file = join(folder.path, 'kubeconfig');
  await writeFile(file, text);
  return contextOf(file, context);
}

test('one context is taken with its cluster and its user alone, and files that it names are found from anywhere', async () => {
  const one = await taken(two);
  expect(one).toMatchObject({ name: 'one', server: 'https://a.example:6443' });
  expect(one.text).toContain('my-token');
  expect(one.text).not.toMatch(/your-token|b\.example/);
  expect(one.text).toMatch(/"certificate-authority":"\/[^"]+\/ca\.crt"/);
  expect(await taken(two, 'two')).toMatchObject({ name: 'two', server: 'https://b.example' });
});

test.each([
  ['no such context', two, 'three', /has no context three; it has one, two, lost, nobody\.$/],
  [
    'none that is current',
    two.replace(/current-context.*/, ''),
    undefined,
    /says of no context that it is the current/,
  ],
  [
    'a cluster that is not there',
    two,
    'lost',
    /The context lost of .* names a cluster that the file does not have/,
  ],
  [
    'a user who is not there',
    two,
    'nobody',
    /The context nobody of .* names a user that the file does not have/,
  ],
  ['what is not YAML', '{ nobody', undefined, /is no kubeconfig: /],
])('%s is refused', async (_, text, context, message) => {
  const failed = await taken(text, context).catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(RefusedError);
  expect((failed as Error).message).toMatch(message);
});

test('a file that is not there is refused', () => {
  expect(() => contextOf('/no/kubeconfig')).toThrow(
    new RefusedError('There is no kubeconfig /no/kubeconfig.'),
  );
});
