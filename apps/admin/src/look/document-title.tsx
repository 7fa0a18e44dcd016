import { useEffect } from 'react';
import { useTranslate } from 'react-admin';

const NAME = 'Verbatim';

/** Sets the tab's title to that of the page, shown in the bar at the top. */
export function DocumentTitle() {
  useEffect(() => {
    const name = () => {
      const title = document.getElementById('react-admin-title')?.textContent?.trim();
      document.title = title ? `${title} · ${NAME}` : NAME;
    };
    const observer = new MutationObserver(name);
    const bar = document.querySelector('header') ?? document.body;
    observer.observe(bar, { childList: true, subtree: true, characterData: true });
    name();
    return () => observer.disconnect();
  }, []);
  return null;
}

/** The same for a page without a bar; `title` is a key of the words. */
export function useDocumentTitle(title: string): void {
  const translate = useTranslate();
  const words = translate(title);
  useEffect(() => {
    document.title = words.includes(NAME) ? words : `${words} · ${NAME}`;
  }, [words]);
}
