import { diagnose } from '#lib/diagnostics/diagnose.ts';
import { door } from '#lib/layers/layers.ts';
import { declaring } from './declare.ts';

/**
 * Says which suite a file belongs to and which layer its claims stand on; returns the function that declares a claim:
 *
 *     const claim = claims('05-policy', { layer: 'apps' });
 *
 *     claim('policy.strict-rejects-plaintext-to-vm', {
 *       given: (lab) => applying(lab.kube, lab.manifest('05-policy/mtls-strict.yaml')),
 *       async proof(lab, seen) {
 *         expect(seen('the answer to plaintext', await plaintext(lab))).toEqual(refused('connection reset'));
 *       },
 *     });
 */
export const claims = declaring({ ...door, diagnose: async (failure) => diagnose(failure) });
