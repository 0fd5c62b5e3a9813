import { expect, test } from 'vitest';
import { wholeJson } from './whole.ts';

/** Somebody who gives these answers in turn, and the last one for ever. */
function answering(...answers: string[]) {
  const asked = { times: 0 };
  return {
    asked,
    ask: async () => Promise.resolve(answers[Math.min(asked.times++, answers.length - 1)] ?? ''),
  };
}

test('an answer that was cut off is asked for again, a whole one is not', async () => {
  const cut = answering('{"configs": [', '', '{"configs": []}');
  expect(await wholeJson('Envoy', cut.ask)).toEqual({ configs: [] });
  expect(cut.asked.times).toBe(3);

  const whole = answering('[1]');
  expect(await wholeJson('Envoy', whole.ask)).toEqual([1]);
  expect(whole.asked.times).toBe(1);
});

test('who tells no JSON is named, with the end of what was told', async () => {
  await expect(wholeJson('Envoy of curl', answering('').ask)).rejects.toThrow(
    'Envoy of curl did not answer with whole JSON, asked 3 times: it told nothing',
  );
  await expect(wholeJson('Envoy', answering('no such page').ask)).rejects.toThrow(
    'it told 12 characters that end in no such page',
  );
});

test('who cannot be asked is not asked again', async () => {
  const asked = { times: 0 };
  const ask = async (): Promise<string> => {
    asked.times += 1;
    return Promise.reject(new Error('no route'));
  };
  await expect(wholeJson('Envoy', ask)).rejects.toThrow('no route');
  expect(asked.times).toBe(1);
});
