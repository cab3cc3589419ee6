"""Streamlit: navigation, sidebar, shared runs, and how every page opens."""
