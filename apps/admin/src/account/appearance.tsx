import { FormControl, FormControlLabel, FormLabel, Radio, RadioGroup, Stack } from '@mui/material';
import { useI18nProvider, useLocaleState, useTheme, useTranslate } from 'react-admin';

/** Language and colours of the dashboard, kept with the account. */
export function Appearance() {
  const translate = useTranslate();
  const [locale, setLocale] = useLocaleState();
  const languages = useI18nProvider()?.getLocales?.() ?? [];
  const [theme, setTheme] = useTheme();
  return (
    <Stack spacing={3}>
      <FormControl>
        <FormLabel id="language">{translate('verbatim.locale')}</FormLabel>
        <RadioGroup aria-labelledby="language" value={locale} onChange={(_, chosen) => void setLocale(chosen)}>
          {languages.map(({ locale: id, name }) => (
            <FormControlLabel key={id} value={id} control={<Radio />} label={<span lang={id}>{name}</span>} />
          ))}
        </RadioGroup>
      </FormControl>
      <FormControl>
        <FormLabel id="colours">{translate('verbatim.own.colours')}</FormLabel>
        <RadioGroup
          aria-labelledby="colours"
          value={theme ?? 'light'}
          onChange={(_, chosen) => setTheme(chosen as 'light' | 'dark')}
        >
          {(['light', 'dark'] as const).map((one) => (
            <FormControlLabel key={one} value={one} control={<Radio />} label={translate(`verbatim.own.${one}`)} />
          ))}
        </RadioGroup>
      </FormControl>
    </Stack>
  );
}
