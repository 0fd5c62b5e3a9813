import { run } from '#lib/base/command.ts';

/**
 * A clone of the article's own repository, for claims about its files: the folder that REFERENCE_REPOSITORY names.
 * The lab takes nothing from it.
 */
export const referenceRepository = (env: NodeJS.ProcessEnv = process.env): string | undefined =>
  env['REFERENCE_REPOSITORY'] === '' ? undefined : env['REFERENCE_REPOSITORY'];

/** What git says of that clone. @throws Error when there is none, CommandError when git refuses */
export async function gitOfArticle(...words: string[]): Promise<string> {
  const folder = referenceRepository();
  if (folder === undefined)
    throw new Error('REFERENCE_REPOSITORY names no clone of the repository of the article.');
  return (await run(['git', '-C', folder, ...words])).stdout;
}
