import { messageOf } from '#lib/base/errors.ts';
import { say } from '#lib/base/progress.ts';
import { giveBackLab } from './give-back.ts';

/*
 * Gives back what the lab in the folder that is named was put on: for whoever ends a lab whose run cannot. Ends with
 * status 1 when something is left.
 */
try {
  const [dir = ''] = process.argv.slice(2);
  await giveBackLab(dir, say);
} catch (error) {
  say(messageOf(error));
  process.exitCode = 1;
}
