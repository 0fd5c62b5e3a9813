import type { Output } from '#lib/base/command.ts';
import type { Place } from './places.ts';
import { wholeAnswer } from './whole.ts';

/** Looks a name up with plain `nslookup`, once, unless what it found was lost on the way to us. */
export const nslookup = async (from: Place, name: string): Promise<Output> =>
  wholeAnswer(async () => from.attempt(['nslookup', name]), whole);

/** What comes last where a name was found. */
const whole = ({ stdout, code }: Output): boolean => code !== 0 || /^Name:.*\nAddress.*\n/m.test(stdout);
