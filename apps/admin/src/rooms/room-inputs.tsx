import { RadioButtonGroupInput, SelectInput, useTranslate } from 'react-admin';
import { historyChoices, settableVisibilities } from './room-fields';

export function VisibilityInput() {
  const translate = useTranslate();
  const choices = settableVisibilities.map((id) => ({
    id,
    name: `${translate(`verbatim.visibility.${id}`)}: ${translate(`verbatim.visibility_help.${id}`)}`,
  }));
  return <RadioButtonGroupInput source="visibility" choices={choices} row={false} translateChoice={false} />;
}

export function HistoryInput() {
  return <SelectInput source="history" choices={historyChoices} />;
}
