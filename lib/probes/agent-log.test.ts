import { describe, expect, test } from 'vitest';
import { timeOf, ttlOf } from './agent-log.ts';

const line =
  '2023-11-01T01:27:04.004712Z\tinfo\tcache\tgenerated new workload certificate\tlatency=118.57166ms ttl=23h59m58.995289161s';

describe('a line of the agent', () => {
  test('tells its time', () => {
    expect(timeOf(line)).toBe(Date.UTC(2023, 10, 1, 1, 27, 4, 4));
  });

  test('without a time is an error that shows it', () => {
    expect(() => timeOf('-A OUTPUT -p tcp')).toThrow('-A OUTPUT -p tcp');
  });

  test('tells a time to live', () => {
    expect(ttlOf(line)).toBeCloseTo(86_398.995, 3);
    expect(ttlOf('x\tttl=59m58s')).toBe(3598);
    expect(ttlOf('x\tttl=1.5s')).toBe(1.5);
    expect(ttlOf('x\tlatency=118.57166ms')).toBeUndefined();
  });
});
