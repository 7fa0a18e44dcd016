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
