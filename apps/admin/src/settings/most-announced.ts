/** Maximum length of announcements and notices, in characters. */
export const MOST_ANNOUNCED = 500;
