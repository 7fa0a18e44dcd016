import { Box, Card, CardContent, Typography } from '@mui/material';
import type { ReactNode } from 'react';
import { LocalesMenuButton, Notification, useTranslate } from 'react-admin';
import { ConnectionBanner } from './connection-banner';
import { useDocumentTitle } from './document-title';
import { useLanguageOfPage } from './language-of-page';

/** A page for people who are not signed in: one card in the middle. `title` is a key of the words. */
export function FrontPage({ title, children, wide = false }: { title: string; children: ReactNode; wide?: boolean }) {
  const translate = useTranslate();
  useLanguageOfPage();
  useDocumentTitle(title);
  return (
    <Box
      component="main"
      sx={{ minHeight: '100vh', display: 'grid', placeItems: 'center', bgcolor: 'background.default', p: 2 }}
    >
      <Box sx={{ position: 'fixed', top: 0, left: 0, right: 0 }}>
        <ConnectionBanner />
      </Box>
      <Card sx={{ width: '100%', maxWidth: wide ? 640 : 420 }}>
        <CardContent sx={{ p: { xs: 2, sm: 4 } }}>
          <Box sx={{ display: 'flex', justifyContent: 'space-between', alignItems: 'start' }}>
            <Typography variant="h1">{translate(title)}</Typography>
            <LocalesMenuButton />
          </Box>
          {children}
        </CardContent>
      </Card>
      <Notification />
    </Box>
  );
}
