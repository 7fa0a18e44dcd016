import type { PaletteOptions } from '@mui/material';

import { defaultDarkTheme, defaultLightTheme, type RaThemeOptions } from 'react-admin';
import { i18nProvider } from '../words/i18n';

const loading = i18nProvider.translate('ra.page.loading');

/** Shared by both themes: system fonts, a visible focus, large targets. */
const common: RaThemeOptions = {
  typography: {
    fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif',
    h1: { fontSize: '1.5rem', fontWeight: 600 },
    h2: { fontSize: '1.1rem', fontWeight: 600 },
    button: { textTransform: 'none', fontWeight: 600 },
  },
  shape: { borderRadius: 8 },
  components: {
    MuiCssBaseline: {
      styleOverrides: {
        ':focus-visible': { outline: '3px solid currentColor', outlineOffset: 2 },
        '.MuiInputBase-input:focus-visible': { outline: 'none' },
        '.MuiButtonBase-root.Mui-focusVisible': { outline: '3px solid currentColor', outlineOffset: -3 },
        // Wide content scrolls by itself instead of widening the page on a phone.
        'div.layout, .RaLayout-content, .RaLayout-contentWithSidebar, .RaShow-main, .RaShow-card': { minWidth: 0 },
        '.RaTabbedShowLayout-content': { overflowX: 'auto' },
        // Invisible buttons must not be focusable.
        '.MuiToolbar-root.RaBulkActionsToolbar-collapsed': { visibility: 'hidden' },
        // A link that covers its row; other controls of the row stay above it.
        'tr:has(.row-link)': { position: 'relative' },
        'tr:hover:has(.row-link)': { backgroundColor: 'rgba(128, 128, 128, 0.08)' },
        '.row-link::after': { content: '""', position: 'absolute', inset: 0 },
        '.row-link:focus-visible': { outline: 'none' },
        '.row-link:focus-visible::after': { outline: '3px solid currentColor', outlineOffset: -3 },
        'tr:has(.row-link) :is(button, a:not(.row-link), .MuiCheckbox-root, .MuiInputBase-root)': {
          position: 'relative',
          zIndex: 1,
        },
        // Long names break rather than widen the page.
        '.MuiTableCell-root': { overflowWrap: 'anywhere' },
        '.MuiTableCell-head': { overflowWrap: 'normal' },
        '.MuiTableCell-body': { minWidth: '6em' },
        // A table that is wider than the window scrolls by itself.
        '.RaList-content, .RaDataTable-tableWrapper': { overflowX: 'auto', maxWidth: '100%' },
        '.RaList-main, .list-page': { minWidth: 0, maxWidth: '100%' },
        '.MuiListItemText-root': { minWidth: 0, overflowWrap: 'anywhere' },
        'td:has(.row-link)': { minWidth: '12em' },
        '.MuiTableCell-paddingCheckbox': { minWidth: 0 },
        '.MuiDialogTitle-root, .MuiAlert-message, .MuiMenuItem-root, .MuiSnackbarContent-message': {
          overflowWrap: 'anywhere',
        },
        '.MuiMenuItem-root': { whiteSpace: 'normal' },
        '.MuiAlert-message': { minWidth: 0 },
        '.RaLabeled-label + *, .RaSimpleShowLayout-stack': { minWidth: 0, overflowWrap: 'anywhere' },
        '.RaMenuItemLink-active': { fontWeight: 600 },
        '@media (prefers-reduced-motion: reduce)': {
          '*, *::before, *::after': { transitionDuration: '1ms !important', animationDuration: '1ms !important' },
        },
      },
    },
    // react-admin names its checkboxes on the wrong element for this version of MUI.
    MuiCheckbox: {
      defaultProps: {
        slotProps: {
          root: { 'aria-label': undefined },
          input: (state: { 'aria-label'?: string }) => ({ 'aria-label': state['aria-label'] }),
        },
      },
    },
    MuiCircularProgress: { defaultProps: { 'aria-label': loading } },
    MuiLinearProgress: { defaultProps: { 'aria-label': loading } },
    RaTopToolbar: { styleOverrides: { root: { '&&': { backgroundColor: 'transparent' } } } },
    MuiTableSortLabel: { styleOverrides: { root: { minHeight: 24 } } },
    MuiCard: { defaultProps: { variant: 'outlined' } },
    MuiTextField: { defaultProps: { variant: 'outlined' } },
    MuiFormControl: { defaultProps: { variant: 'outlined' } },
    MuiAppBar: { styleOverrides: { root: { boxShadow: 'none' } } },
  },
};

const light: PaletteOptions = {
  mode: 'light',
  primary: { main: '#0b5f59' },
  secondary: { main: '#0b4f4a', contrastText: '#ffffff' },
  error: { main: '#b3261e' },
  warning: { main: '#8a5300' },
  success: { main: '#1a6b34' },
  info: { main: '#1f5a8a' },
  background: { default: '#f6f6f3', paper: '#ffffff' },
  text: { primary: '#1b1f23', secondary: '#4d545c' },
};

const dark: PaletteOptions = {
  mode: 'dark',
  primary: { main: '#74d3c8' },
  secondary: { main: '#1d2c2b', contrastText: '#e9ebed' },
  error: { main: '#ff9d94' },
  warning: { main: '#ecc16a' },
  success: { main: '#6fd58b' },
  info: { main: '#8fc4ef' },
  background: { default: '#14171a', paper: '#1c2126' },
  text: { primary: '#e9ebed', secondary: '#b3bbc3' },
};

const theme = (basis: RaThemeOptions, palette: PaletteOptions): RaThemeOptions => ({
  ...basis,
  ...common,
  palette,
  components: { ...basis.components, ...common.components },
});

export const lightTheme = theme(defaultLightTheme, light);
export const darkTheme = theme(defaultDarkTheme, dark);
