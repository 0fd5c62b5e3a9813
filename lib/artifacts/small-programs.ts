import { goBuild, goInputs, type GoPrograms } from './go.ts';
import { produce, type Build, type Place } from './store.ts';

const smallPrograms: GoPrograms = {
  folder: 'images/programs',
  programs: { pause: './pause', helloworld: './helloworld' },
};

/** Builds the programs of fixtures/images/programs. Returns the folder that holds `pause` and `helloworld`. */
export async function small(place?: Place): Promise<string> {
  const inputs = await goInputs(smallPrograms);
  const build: Build = async (dir, note, run) => goBuild(smallPrograms, dir, note, run);
  return produce('small', inputs, 'pause and helloworld', 10_000, build, place);
}
