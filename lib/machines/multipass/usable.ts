import { CommandError } from '#lib/base/command.ts';
import { messageOf, RefusedError } from '#lib/base/errors.ts';
import { before, json } from './answers.ts';
import { means } from './failure.ts';

/** Before it, `exec` drops words that are empty (escape_for_shell in its src/utils/utils.cpp). */
const oldest = [1, 13] as const;

/**
 * `multipass version` ends well whatever the service says, and then tells of the client alone: only another command
 * has the reason.
 *
 * @param again asks multipass
 * @throws RefusedError when multipass cannot be used, with the way out
 */
export async function versionOf(
  again: (words: readonly string[]) => Promise<string>,
): Promise<{ client: string; service: string }> {
  const asked = async (): Promise<Record<string, string>> =>
    json<Record<string, string>>('version', await again(['version', '--format', 'json']));
  let told: Record<string, string>;
  try {
    told = await asked();
    if (told['multipassd'] === undefined) {
      await again(['list', '--format', 'json']);
      told = await asked();
    }
  } catch (error) {
    throw new RefusedError(unusable(error), { cause: error });
  }
  const { multipass: client = '', multipassd: service } = told;
  if (service === undefined)
    throw new RefusedError(`multipass ${client} tells no version of its service: is multipassd running?`);
  const old = [client, service].find((version) => before(version, oldest));
  if (old !== undefined)
    throw new RefusedError(`multipass ${old} is too old: ${oldest.join('.')} or newer is needed.`);
  return { client, service };
}

/** Whether multipass was not asked at all, as there is none. */
export const notInstalled = (error: unknown): boolean =>
  error instanceof RefusedError && error.cause instanceof CommandError && error.cause.output.code === -1;

function unusable(error: unknown): string {
  if (error instanceof CommandError)
    return 'There is no multipass on PATH; install it (https://multipass.run/install), or choose another LAB_PROVIDER.';
  const why = messageOf(error);
  if (means(error, 'not authenticated'))
    return process.getuid?.() === 0
      ? `${why} multipass knows its users one by one, and this is root: run as the user that uses multipass, or \`sudo multipass authenticate\` once.`
      : `${why} Run \`multipass authenticate\` once as this user.`;
  if (means(error, 'no access'))
    return `${why} On Linux the socket belongs to one of the groups sudo, admin or wheel: add this user to that group, and log in again.`;
  return `multipass cannot be used: ${why}. Its service must run, and this user must reach its socket.`;
}
