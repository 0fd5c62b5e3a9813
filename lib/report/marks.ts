import type { Result } from './results.ts';

/** One character for each verdict, so that it can be told without colour. */
export const marks: Readonly<Record<Result['verdict'], string>> = {
  passed: '✓',
  failed: '✗',
  broken: '!',
  blocked: '■',
  'not-applicable': '○',
  'not-implemented': '·',
  'not-selected': '–',
};
