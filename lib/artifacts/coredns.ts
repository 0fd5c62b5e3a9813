import { goBuild, goInputs, type GoPrograms } from './go.ts';
import { produce, type Build, type Place } from './store.ts';

export const corednsVersion = '1.12.4';

const corednsPrograms: GoPrograms = {
  folder: `artifacts/coredns-${corednsVersion}`,
  programs: { coredns: 'github.com/coredns/coredns' },
};

/** Builds CoreDNS. Returns the folder that holds `coredns`. */
export async function coredns(place?: Place): Promise<string> {
  const title = `CoreDNS ${corednsVersion} from its Go module`;
  const inputs = await goInputs(corednsPrograms);
  const build: Build = async (dir, note, run) => goBuild(corednsPrograms, dir, note, run);
  return produce('coredns', inputs, title, 60_000, build, place);
}
