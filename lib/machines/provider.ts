import type { Size } from '#lib/base/settings.ts';
import type { FirstBoot } from './first-boot.ts';
import type { Machine } from './machine.ts';

/** What a machine is to be like. */
export interface MachineSpec {
  /** A DNS label; the machine's host name, too. */
  name: string;
  size: Size;
  /** What is done in it before anybody else may use it. */
  firstBoot?: FirstBoot;
}

export interface LaunchOptions {
  /** Calls the launch off; what it has made by then is removed. */
  signal?: AbortSignal;
  /** Called with what is going on, for whoever watches. */
  note?: (text: string) => void;
}

/** Where the machines of one lab come from. It sees and touches only machines that it made for this lab. */
export interface MachineProvider {
  readonly name: 'local' | 'multipass' | 'existing';
  /**
   * Makes a machine and waits until it can be used; a launch that fails or is called off leaves nothing.
   *
   * @throws RefusedError when the name is taken or cannot be had, before anything is made
   */
  launch(spec: MachineSpec, options?: LaunchOptions): Promise<Machine>;
  /** The machines of this lab, running or not, by name and in order. */
  list(): Promise<string[]>;
  /** A handle on a machine, which need not be there; nothing is asked until it is used. */
  machine(name: string): Machine;
  /** Removes a machine and all that it had; it may already be gone. */
  remove(name: string): Promise<void>;
}
