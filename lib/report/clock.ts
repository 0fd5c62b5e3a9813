/** "19:02:26" of an ISO time. */
export const clock = (time: string): string => time.slice(11, 19);
