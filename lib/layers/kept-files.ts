import { fixture } from '#lib/base/paths.ts';

/**
 * What the article keeps of the sidecar's package when it replaces the binaries: files of Istio 1.19.3 (Apache-2.0), of
 * which it has changed one, istio-start.sh, to log to the terminal.
 */
export const keptFiles = fixture('03-vm', 'istio-sidecar');
