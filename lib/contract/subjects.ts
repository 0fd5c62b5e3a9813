import { RefusedError } from '#lib/base/errors.ts';
import type { Subject } from './subject.ts';
import { existing } from './subjects/existing.ts';
import { local } from './subjects/local.ts';
import { multipass } from './subjects/multipass.ts';

const subjects: Readonly<Record<string, () => Promise<Subject>>> = { local, multipass, existing };

/** The providers that the contract knows. */
export const subjectNames = Object.keys(subjects);

/** Opens the provider that CONTRACT_PROVIDER names. @throws RefusedError when there is no such */
export async function subject(name = process.env['CONTRACT_PROVIDER'] ?? ''): Promise<Subject> {
  const open = subjects[name];
  if (!open) {
    throw new RefusedError(
      `There is no provider "${name}"; there are ${subjectNames.join(', ')} (npm run contract -- <provider>).`,
    );
  }
  return open();
}
