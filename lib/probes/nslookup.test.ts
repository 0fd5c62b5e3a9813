import { expect, test } from 'vitest';
import type { Output } from '#lib/base/command.ts';
import { nslookup } from './nslookup.ts';

const found =
  'Server:\t\t10.43.0.10\nAddress:\t10.43.0.10:53\n\nName:\tone.sample.svc\nAddress: 10.43.7.1\n\n';

/** A place that gives these answers in turn. */
function place(...answers: Pick<Output, 'stdout' | 'code'>[]) {
  const asked: (readonly string[])[] = [];
  const attempt = async (words: readonly string[]): Promise<Output> => {
    const answer = answers[asked.push(words) - 1] ?? { stdout: '', code: 0 };
    return Promise.resolve({ stderr: '', ms: 1, ...answer });
  };
  return { asked, name: 'pod sample/curl', attempt };
}

test('what was lost on the way is asked for again', async () => {
  const cut = place(
    { stdout: '', code: 0 },
    { stdout: found.slice(0, 60), code: 0 },
    { stdout: found, code: 0 },
  );
  expect(await nslookup(cut, 'one.sample.svc')).toMatchObject({ stdout: found, code: 0 });
  expect(cut.asked).toEqual(Array(3).fill(['nslookup', 'one.sample.svc']));
});

test('a name that is not found is an answer', async () => {
  const said = "** server can't find one.sample.svc: NXDOMAIN\n";
  const none = place({ stdout: said, code: 1 });
  expect(await nslookup(none, 'one.sample.svc')).toMatchObject({ stdout: said, code: 1 });
  expect(none.asked).toHaveLength(1);
});
