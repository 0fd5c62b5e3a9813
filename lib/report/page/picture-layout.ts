type Point = readonly [x: number, y: number];
/** Left, top, width and height. */
export type Box = readonly [x: number, y: number, width: number, height: number];

/** Where a path runs: its corners, where its number stands, and on which side of that its port, if anywhere. */
export interface Route {
  corners: readonly Point[];
  badge: Point;
  port?: 'above' | 'right';
}

/** Where everything in the picture of the lab is, in units of its own. */
export interface Layout {
  width: number;
  height: number;
  cluster: Box;
  vm: Box;
  parts: Readonly<Record<string, Box>>;
  routes: Readonly<Record<string, Route>>;
  /** Whether the boxes have room for a second line. */
  notes: boolean;
}

/** Beside each other, for a screen or paper. */
export const wide: Layout = {
  width: 1000,
  height: 460,
  cluster: [8, 8, 640, 444],
  vm: [752, 8, 240, 444],
  notes: true,
  parts: {
    'control-plane': [28, 44, 180, 50],
    'worker-1': [238, 44, 180, 50],
    'worker-2': [448, 44, 180, 50],
    istiod: [238, 150, 180, 54],
    gateway: [484, 186, 144, 108],
    helloworld: [28, 245, 180, 50],
    client: [28, 324, 180, 56],
    outsider: [28, 394, 180, 46],
    resolver: [772, 56, 200, 50],
    sidecar: [772, 180, 200, 136],
    app: [772, 384, 200, 50],
  },
  routes: {
    'same-network': { corners: [[628, 69], [752, 69]], badge: [700, 69] }, // prettier-ignore
    injection: { corners: [[90, 94], [90, 177], [238, 177]], badge: [90, 136] }, // prettier-ignore
    registration: { corners: [[270, 150], [270, 122], [180, 122], [180, 94]], badge: [225, 122] }, // prettier-ignore
    configuration: { corners: [[772, 212], [452, 212], [452, 177], [418, 177]], badge: [700, 212], port: 'above' }, // prettier-ignore
    dns: { corners: [[872, 106], [872, 180]], badge: [872, 143], port: 'right' }, // prettier-ignore
    'vm-to-mesh': { corners: [[772, 270], [208, 270]], badge: [700, 270], port: 'above' }, // prettier-ignore
    'mesh-to-vm': { corners: [[208, 340], [676, 340], [676, 302], [772, 302]], badge: [440, 340], port: 'above' }, // prettier-ignore
    health: { corners: [[872, 316], [872, 384]], badge: [872, 350], port: 'right' }, // prettier-ignore
    'network-policy': { corners: [[208, 366], [648, 366]], badge: [560, 366] }, // prettier-ignore
    plaintext: { corners: [[208, 417], [752, 417]], badge: [560, 417] }, // prettier-ignore
  },
};

/** Above each other, for a narrow window. */
export const tall: Layout = {
  width: 360,
  height: 654,
  cluster: [4, 4, 352, 426],
  vm: [4, 456, 352, 194],
  notes: false,
  parts: {
    'control-plane': [16, 36, 104, 40],
    'worker-1': [128, 36, 90, 40],
    'worker-2': [226, 36, 90, 40],
    istiod: [128, 140, 90, 44],
    gateway: [196, 240, 126, 50],
    helloworld: [40, 244, 122, 42],
    outsider: [40, 306, 126, 34],
    client: [40, 352, 122, 34],
    sidecar: [76, 492, 220, 44],
    resolver: [40, 594, 120, 42],
    app: [206, 594, 120, 42],
  },
  routes: {
    'same-network': { corners: [[306, 76], [306, 96], [338, 96], [338, 456]], badge: [338, 190] }, // prettier-ignore
    injection: { corners: [[50, 76], [50, 162], [128, 162]], badge: [50, 128] }, // prettier-ignore
    registration: { corners: [[160, 140], [160, 108], [96, 108], [96, 76]], badge: [124, 108] }, // prettier-ignore
    configuration: { corners: [[278, 492], [278, 162], [218, 162]], badge: [278, 404] }, // prettier-ignore
    dns: { corners: [[100, 594], [100, 536]], badge: [100, 565] }, // prettier-ignore
    'vm-to-mesh': { corners: [[232, 492], [232, 265], [162, 265]], badge: [232, 404] }, // prettier-ignore
    'mesh-to-vm': { corners: [[162, 369], [184, 369], [184, 492]], badge: [184, 404] }, // prettier-ignore
    health: { corners: [[266, 536], [266, 594]], badge: [266, 565] }, // prettier-ignore
    'network-policy': { corners: [[112, 386], [112, 430]], badge: [112, 408] }, // prettier-ignore
    plaintext: { corners: [[40, 323], [24, 323], [24, 456]], badge: [24, 404] }, // prettier-ignore
  },
};
