/** Characters of what everybody is told. */
export const MOST_ANNOUNCED = 500;
