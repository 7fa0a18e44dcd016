import { useLocale } from 'react-admin';

/** How numbers and times are written: as in the person's region, where the browser names one for the language chosen. */
export function useRegion(): string {
  const locale = useLocale();
  return navigator.languages.find((language) => language.startsWith(locale)) ?? locale;
}
