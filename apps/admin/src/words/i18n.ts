import polyglot from 'ra-i18n-polyglot';
import { resolveBrowserLocale } from 'react-admin';
import { englishWords } from './english';
import { germanWords } from './german';

const words = { en: englishWords, de: germanWords };

/** The language of the browser if it is one of ours, English otherwise; the choice of the person outlives it. */
export const i18nProvider = polyglot(
  (locale) => words[locale as keyof typeof words] ?? words.en,
  resolveBrowserLocale('en'),
  [
    { locale: 'en', name: 'English' },
    { locale: 'de', name: 'Deutsch' },
  ],
);
