import type { Metadata, Viewport } from 'next';
import type { ReactNode } from 'react';
import './layout.css';

export const metadata: Metadata = {
  title: 'Verbatim',
  description: 'Chat that you can run yourself, audit and replay',
  robots: { index: false },
};

export const viewport: Viewport = {
  colorScheme: 'light dark',
  themeColor: [
    { media: '(prefers-color-scheme: light)', color: '#f6f6f3' },
    { media: '(prefers-color-scheme: dark)', color: '#14171a' },
  ],
};

export default function Layout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>{children}</body>
    </html>
  );
}
