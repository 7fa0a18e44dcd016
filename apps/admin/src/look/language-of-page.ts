import { useEffect } from 'react';
import { useLocaleState } from 'react-admin';

/** Screen readers choose their voice by it. */
export function useLanguageOfPage() {
  const [locale] = useLocaleState();
  useEffect(() => {
    document.documentElement.lang = locale;
  }, [locale]);
}
