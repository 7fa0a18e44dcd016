import { SearchInput, type TextInputProps, useTranslate } from 'react-admin';

/** The search above a list. `label` is for those who do not see the magnifying glass. */
export function Search({ label, ...props }: TextInputProps & { label: string }) {
  const translate = useTranslate();
  const words = translate(label);
  return (
    <SearchInput
      {...props}
      placeholder={words}
      slotProps={{ htmlInput: { maxLength: 200, 'aria-label': words } }}
      sx={{ minWidth: { xs: 160, sm: 240 } }}
    />
  );
}
