import type { Resource } from '#lib/kube/client.ts';

/** What a lab that is none answers. The same question has the same answer, whatever was done in between. */
export interface Target {
  readonly name: string;
  /**
   * What a program says and ends with, wherever it is run.
   *
   * @param words without those that put it into a machine or a pod
   */
  command(words: readonly string[]): { stdout?: string; stderr?: string; code?: number };
  /** The content of a file: of a machine, or of the folder of the lab. */
  file(path: string): string;
  /** The address of a machine. */
  address(machine: string): string;
  /** All objects of a kind that the API server has. */
  objects(kind: string): Resource[];
  /** The body of a GET on a path of the API server. */
  page(path: string): string;
}

/** A lab that answers everything with nothing, and says that all went well. */
export const empty: Target = {
  name: 'empty',
  command: () => ({}),
  file: () => '',
  address: () => '',
  objects: () => [],
  page: () => '',
};
