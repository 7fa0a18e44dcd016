import { useLocale } from 'react-admin';

/** How numbers and times are written: as in the person's region, where the browser names one for the language chosen. */
export function useRegion(): string {
  const locale = useLocale();
  return navigator.languages.find((language) => language.startsWith(locale)) ?? locale;
}

/** Writes a time, given as RFC 3339, as in the person's region. */
export function useMoment(): (at: string) => string {
  const region = useRegion();
  return (at) => new Date(at).toLocaleString(region, { dateStyle: 'medium', timeStyle: 'short' });
}

/** Writes a day in UTC, given as 2026-01-31, as in the person's region. */
export function useDay(): (day: string) => string {
  const region = useRegion();
  return (day) => new Date(`${day}T00:00Z`).toLocaleDateString(region, { dateStyle: 'medium', timeZone: 'UTC' });
}

/** Writes how long ago a time was, such as “3 minutes ago”. */
export function useAge(): (at: string) => string {
  const format = new Intl.RelativeTimeFormat(useLocale(), { numeric: 'always' });
  return (at) => {
    const seconds = Math.max(0, (Date.now() - Date.parse(at)) / 1_000);
    const [unit, length] = units.find(([, each]) => seconds >= each) ?? (['second', 1] as const);
    return format.format(-Math.floor(seconds / length), unit);
  };
}

const units = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
] as const;
