"""Figures and live passages: functions of a view, in plotly and HTML; nothing is computed or drawn by Streamlit here."""
