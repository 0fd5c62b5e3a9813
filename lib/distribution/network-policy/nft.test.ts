import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Run } from '#lib/base/command.ts';
import { enforcer } from './nft.ts';

let folder: string;
let said: string[];
let ran: string[];
let refusal: Error | undefined;

const stand: Run = async (words, options) => {
  ran.push(`${words.slice(2).join(' ')}${typeof options?.input === 'string' ? ` < ${options.input}` : ''}`);
  if (refusal) throw refusal;
  return Promise.resolve({ stdout: '', stderr: '', code: 0, ms: 1 });
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'namespaces-'));
  writeFileSync(join(folder, 'one'), '');
  [said, ran, refusal] = [[], [], undefined];
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const enforce = () => enforcer(folder, (text) => said.push(text), stand);

test('a script is put in force once, and again when it changed', async () => {
  const { apply } = enforce();
  for (const script of ['a', 'a', 'b']) await apply(new Map([['one', script]]));
  expect(ran).toEqual(['sysctl -qw net.ipv4.icmp_ratelimit=0', 'nft -f - < a', 'nft -f - < b']);
});

test('a machine that was made anew gets its rules again', async () => {
  const { apply } = enforce();
  await apply(new Map([['one', 'a']]));
  writeFileSync(join(folder, 'other'), '');
  renameSync(join(folder, 'other'), join(folder, 'one'));
  await apply(new Map([['one', 'a']]));
  expect(ran.filter((one) => one === 'nft -f - < a')).toHaveLength(2);
});

test('a refusal is told once, tried again each time, and does not hold up other nodes', async () => {
  const { apply } = enforce();
  refusal = new Error('no such thing');
  for (let time = 0; time < 2; time += 1) await apply(new Map([['one', 'a'], ['gone', 'a']])); // prettier-ignore
  expect(said.filter((text) => text.startsWith('one: the rules could not be put in force'))).toHaveLength(1);
  expect(said.filter((text) => text.startsWith('gone:'))).toHaveLength(1);
  refusal = undefined;
  await apply(new Map([['one', 'a']]));
  expect(ran.at(-1)).toBe('nft -f - < a');
});

test('removing takes the table away and forgets what was in force', async () => {
  const { apply, remove } = enforce();
  await apply(new Map([['one', 'a']]));
  await remove(['one']);
  expect(ran.at(-1)).toContain('delete table inet vmconformance_netpol');
});
