/** Numbers from 0 up to 1, the same for the same seed (a linear congruential generator of 32 bits): each run makes the same files. */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
