import { expect, test } from 'vitest';
import { changed } from './trial.ts';

test('what a host has more or less than before is told line by line', () => {
  const before = 'unit: ssh.service loaded active running\nnetns: other\n';
  expect(changed(before, before)).toEqual([]);
  expect(changed(before, 'unit: ssh.service loaded active running\nlink: tap-vm\n')).toEqual([
    '- netns: other',
    '+ link: tap-vm',
  ]);
});
